import { useMessages } from '../state/app.ts';
import { Icon } from './icon.tsx';

export function DropZone({ onFiles }: { onFiles(files: File[]): void }) {
  const m = useMessages();
  return (
    <div class="drop-zone">
      <input
        class="visually-hidden"
        id="pick"
        type="file"
        accept="audio/*,video/*"
        multiple
        onChange={({ currentTarget: input }) => {
          onFiles([...(input.files ?? [])]);
          // So that the same file can be picked again.
          input.value = '';
        }}
      />
      <label class="drop" for="pick">
        <Icon name="upload" />
        <strong>{m.upload.drop}</strong>
        <span class="drop-pick">{m.upload.pick}</span>
        <span class="drop-hint">{m.upload.hint}</span>
      </label>
    </div>
  );
}
