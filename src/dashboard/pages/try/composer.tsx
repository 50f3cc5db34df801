import { useRef } from "hono/jsx/dom";
import { errorText } from "../../api/request.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { TextArea } from "../../components/field.tsx";
import { showToast } from "../../components/toast.tsx";
import { useEffect, useState } from "../../state/hooks.ts";
import { useStore } from "../../state/use-store.ts";
import { text } from "../../texts/texts.ts";
import type { ChatSettings } from "./chat/types.ts";
import { ImageList } from "./images/image-list.tsx";
import { IMAGES_MAX, imageFilesOf, readImage } from "./images/read-image.ts";
import { changeDraft, conversation, draft } from "./try-state.ts";

interface ComposerProps {
  /** With the names of the models. */
  settings: ChatSettings;
  isBusy: boolean;
  /** The models that are known to take no images. */
  blind: readonly string[];
  onSend: () => void;
}

const FIELD = "question";

/** The field for a message. Enter sends it, and Shift+Enter begins a new line. */
export function Composer({ settings, isBusy, blind, onSend }: ComposerProps) {
  const { images, isEdit, text: typed } = useStore(draft);
  const form = useRef<HTMLFormElement | null>(null);
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const field = fieldOf(form.current);
    if (!field) return;
    field.value = draft.get().text;
    if (isEdit) field.focus();
  }, [isEdit, typed === ""]);
  const send = () => {
    const field = fieldOf(form.current);
    const question = { text: field?.value ?? "", images };
    if (!field || isBusy || (question.text.trim() === "" && images.length === 0)) return;
    field.value = "";
    changeDraft({ text: "", images: [], isEdit: false });
    onSend();
    void (isEdit ? conversation.replaceLast(question, settings) : conversation.send(question, settings));
    field.focus();
  };
  return (
    <form
      ref={form}
      class={isOver ? "composer over" : "composer"}
      onSubmit={(event: Event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event: DragEvent) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        void addImages(imageFilesOf(event.dataTransfer));
      }}
      onPaste={(event: ClipboardEvent) => {
        const files = imageFilesOf(event.clipboardData);
        if (files.length === 0) return;
        event.preventDefault();
        void addImages(files);
      }}
    >
      {isEdit ? <EditNotice /> : null}
      {images.length > 0 && blind.length > 0 ? (
        <Notice tone="warn">{text("try.images.blind", { models: blind.join(", ") })}</Notice>
      ) : null}
      <ImageList
        images={images}
        onRemove={(image) => changeDraft({ images: images.filter((one) => one !== image) })}
      />
      <TextArea
        label={text("try.message")}
        name={FIELD}
        rows={2}
        value={draft.get().text}
        placeholder={text("try.placeholder")}
        onInput={(value) => changeDraft({ text: value })}
        onKeyDown={(event) => {
          if (!sendsMessage(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <ComposerActions isBusy={isBusy} />
    </form>
  );
}

function ComposerActions({ isBusy }: { isBusy: boolean }) {
  return (
    <div class="composer-actions">
      {isBusy ? (
        <Button
          kind="primary"
          onClick={() => {
            conversation.stop();
            // The button disappears, and must not take the focus with it.
            document.querySelector<HTMLTextAreaElement>(`[name=${FIELD}]`)?.focus();
          }}
        >
          {text("try.stop")}
        </Button>
      ) : (
        <Button type="submit" kind="primary">
          {text("try.send")}
        </Button>
      )}
      <AddImages />
      <span class="hint composer-hint">{text("try.keys")}</span>
    </div>
  );
}

/** Whether a key sends the message. A key that ends the input of a character, as of Japanese, does not. */
function sendsMessage(event: KeyboardEvent): boolean {
  // Safari ends the input first, and says 229 for its key.
  return (
    event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing && event.keyCode !== 229
  );
}

function EditNotice() {
  return (
    <div class="row edit-notice">
      <span>{text("try.edit.notice")}</span>
      <Button isSmall kind="quiet" onClick={() => changeDraft({ text: "", images: [], isEdit: false })}>
        {text("try.edit.cancel")}
      </Button>
    </div>
  );
}

function AddImages() {
  const input = useRef<HTMLInputElement | null>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label={text("try.images.add")}
        onChange={(event: Event) => {
          const field = event.target as HTMLInputElement;
          const files = [...(field.files ?? [])];
          field.value = "";
          void addImages(files);
        }}
      />
      <Button onClick={() => input.current?.click()}>{text("try.images.add")}</Button>
    </>
  );
}

/** Adds images to the message, in the order of the files. */
async function addImages(files: readonly File[]): Promise<void> {
  const room = IMAGES_MAX - draft.get().images.length;
  if (files.length > room) showToast(text("try.images.many", { count: IMAGES_MAX }), "bad");
  for (const file of files.slice(0, Math.max(0, room))) {
    try {
      const image = await readImage(file);
      changeDraft({ images: [...draft.get().images, image] });
    } catch (error) {
      showToast(errorText(error), "bad");
    }
  }
}

function fieldOf(form: HTMLFormElement | null): HTMLTextAreaElement | undefined {
  const field = form?.elements.namedItem(FIELD);
  return field instanceof HTMLTextAreaElement ? field : undefined;
}
