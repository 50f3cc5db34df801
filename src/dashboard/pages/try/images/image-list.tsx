import { text } from "../../../texts/texts.ts";
import type { Image } from "../chat/types.ts";

interface ImageListProps {
  images: readonly Image[];
  /** Shows a button at each image. */
  onRemove?: (image: Image) => void;
}

/** Small pictures of the images in a message. */
export function ImageList({ images, onRemove }: ImageListProps) {
  if (images.length === 0) return null;
  return (
    <ul class="images" aria-label={text("try.images")}>
      {images.map((image) => (
        <li key={image.url}>
          <img src={image.url} alt={image.name} />
          {onRemove ? (
            <button
              type="button"
              class="button small image-remove"
              aria-label={text("try.images.remove", { name: image.name })}
              onClick={() => onRemove(image)}
            >
              ✕
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
