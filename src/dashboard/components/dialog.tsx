import { type Child, useId, useRef } from "hono/jsx/dom";
import { useEffect } from "../state/hooks.ts";
import { text } from "../texts/texts.ts";
import { Button } from "./button.tsx";
import { Form } from "./form.tsx";

interface DialogProps {
  title: string;
  /**
   * Called after Escape, the close button, or when the browser closes the dialog. The owner then removes it.
   */
  onClose: () => void;
  /**
   * Called when somebody wants to close the dialog by Escape or ✕. It stays open if the result is false; a second
   * Escape closes it in any case.
   */
  canClose?: () => boolean;
  children?: Child;
}

/** A modal dialog, open while it is rendered. Afterwards the focus returns to where it was. */
export function Dialog({ title, onClose, canClose = () => true, children }: DialogProps) {
  const id = useId();
  const ref = useRef<HTMLDialogElement | null>(null);
  const isRemoved = useRef(false);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      // Only closing the dialog, not just removing it, returns the focus. The close event comes later, when
      // the owner may already show another dialog, so it is not reported.
      isRemoved.current = true;
      dialog?.close();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event: Event) => {
        if (!canClose()) event.preventDefault();
      }}
      onClose={() => (isRemoved.current ? undefined : onClose())}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button
          kind="quiet"
          isSmall
          label={text("dialog.close")}
          onClick={() => (canClose() ? onClose() : undefined)}
        >
          ✕
        </Button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** Explains what will happen. */
  children?: Child;
  /** The button's text, which names the action: “Delete”, not “OK”. */
  action: string;
  /** Performs the action. The dialog closes if it succeeds, and shows the error if it fails. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

export function ConfirmDialog({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        submit={action}
        kind="danger"
        onSubmit={async () => {
          await onConfirm();
          onClose();
        }}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        {children}
      </Form>
    </Dialog>
  );
}
