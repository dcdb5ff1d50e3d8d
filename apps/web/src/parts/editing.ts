/** All that is needed to correct a text, in one file that is loaded when somebody begins to. */
export { createTranscriptEditor } from '../state/transcript-editor.ts';
export { EditBar } from './edit-bar.tsx';
export { KeptUnplaced } from './kept-unplaced.tsx';
export { SegmentField } from './segment-field.tsx';
