/** Types that browsers know by a file's ending and that are never a recording; the API judges all others. */
const otherTypes =
  /^(text|image|font|model)\/|^application\/(pdf|zip|json|xml|rtf|msword|epub\+zip|x-7z-compressed|vnd\.(openxmlformats|oasis|ms-))/;

/** What is wrong with a file that need not be sent to find out, or null. */
export function findObjection(file: { name: string; type: string; size: number }): string | null {
  if (file.size === 0) return 'The file has no bytes.';
  if (otherTypes.test(file.type)) return 'This is not an audio or video recording.';
  return null;
}
