import { text } from "../../../texts/texts.ts";
import type { Image } from "../chat/types.ts";
import { fittedSize } from "./image-size.ts";

/** The images of a message. */
export const IMAGES_MAX = 8;
const FILE_BYTES_MAX = 50_000_000;
const UNCHANGED_BYTES_MAX = 1_000_000;
/** The types that every model server reads. */
const UNCHANGED_TYPES = new Set(["image/png", "image/jpeg"]);
const JPEG_QUALITY = 0.85;

/** Reads an image file. A large one is made smaller. Rejects with a text for people if it is not an image. */
export async function readImage(file: File): Promise<Image> {
  const { name } = file;
  const unreadable = new Error(text("try.images.unreadable", { name }));
  if (file.size > FILE_BYTES_MAX) throw unreadable;
  const bitmap = await createImageBitmap(file).catch(() => {
    throw unreadable;
  });
  const { width, height } = fittedSize(bitmap.width, bitmap.height);
  const isSmall = width === bitmap.width && height === bitmap.height && file.size <= UNCHANGED_BYTES_MAX;
  if (isSmall && UNCHANGED_TYPES.has(file.type)) return { name, url: await readAsUrl(file) };
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) throw unreadable;
  // JPEG has no transparency.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await new Promise<Blob | null>((resolve) => {
    // Unlike `toDataURL`, this does not block the page.
    canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY);
  });
  if (!blob) throw unreadable;
  return { name, url: await readAsUrl(blob) };
}

function readAsUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** Returns the image files that were pasted or dropped. */
export function imageFilesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
}
