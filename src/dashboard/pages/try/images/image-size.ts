/** Vision models look at no more than about this many pixels of a side. */
const SIDE_MAX = 1_568;

/** Returns the size of an image with its longer side within the limit. */
export function fittedSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
