import { type Child, useEffect, useId, useRef } from "hono/jsx/dom";
import { Button } from "./button.tsx";
import { Form } from "./form.tsx";

interface DialogProps {
  title: string;
  /** After Escape, the cross, or a call of `close` by the browser; the owner takes the dialog away then. */
  onClose: () => void;
  children?: Child;
}

/** Modal, and open for as long as it is drawn. The focus goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const id = useId();
  const ref = useRef<HTMLDialogElement | null>(null);
  const isGone = useRef(false);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      // Closing it, not merely removing it, is what gives the focus back. The event of that comes later, when the
      // owner may show another dialog, and is not for him.
      isGone.current = true;
      dialog?.close();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={id}
      onClose={() => (isGone.current ? undefined : onClose())}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" isSmall label="Close" onClick={onClose}>
          ✕
        </Button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will happen, said by the button too: “Delete”, not “OK”. */
  children?: Child;
  action: string;
  /** Does it; the dialog closes when that has worked, and shows why not otherwise. */
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
        actions={<Button onClick={onClose}>Cancel</Button>}
      >
        {children}
      </Form>
    </Dialog>
  );
}
