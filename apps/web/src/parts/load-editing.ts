/** @returns what is needed to correct a text; a file of its own */
export const loadEditing = () => import('./editing.ts');
