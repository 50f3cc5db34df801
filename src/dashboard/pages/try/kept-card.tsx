import { Button } from "../../components/button.tsx";
import { Card, Notice } from "../../components/card.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { Form } from "../../components/form.tsx";
import { formatAgo } from "../../format.ts";
import { Icon } from "../../frame/icon.tsx";
import { useState } from "../../state/hooks.ts";
import { hrefWith } from "../../state/query.ts";
import { useStore } from "../../state/use-store.ts";
import { countedText, text } from "../../texts/texts.ts";
import type { ChatEntry } from "./kept/kept-chat.ts";
import { current, forgetChats, isKeepingFailed, kept, renameChat } from "./try-state.ts";

type Open = { kind: "rename" | "delete"; entry: ChatEntry } | { kind: "clear" } | undefined;

const SHOWN = 8;

/** The conversations that this browser keeps. */
export function KeptCard() {
  const entries = useStore(kept);
  const { id } = useStore(current);
  const [open, setOpen] = useState<Open>(undefined);
  const [isWhole, setWhole] = useState(false);
  const close = () => setOpen(undefined);
  const isFailed = useStore(isKeepingFailed);
  if (!entries) return <Notice tone="warn">{text("try.kept.none")}</Notice>;
  const notice = isFailed ? <Notice tone="warn">{text("try.kept.failed")}</Notice> : null;
  if (entries.length === 0) return notice;
  const shown = isWhole ? entries : entries.slice(0, SHOWN);
  return (
    <Card
      title={text("try.kept.title")}
      actions={
        <Button isSmall kind="quiet" onClick={() => setOpen({ kind: "clear" })}>
          {text("try.kept.clear")}
        </Button>
      }
    >
      {notice}
      <ul class="kept">
        {shown.map((entry) => (
          <KeptRow
            key={entry.id}
            entry={entry}
            isCurrent={entry.id === id}
            onOpen={(kind) => setOpen({ kind, entry })}
          />
        ))}
      </ul>
      {entries.length > SHOWN && !isWhole ? (
        <Button isSmall kind="quiet" onClick={() => setWhole(true)}>
          {countedText("try.kept.more", entries.length - SHOWN)}
        </Button>
      ) : null}
      <p class="hint">{text("try.kept.hint")}</p>
      {open ? <KeptDialog open={open} entries={entries} onClose={close} /> : null}
    </Card>
  );
}

interface KeptRowProps {
  entry: ChatEntry;
  isCurrent: boolean;
  onOpen: (kind: "rename" | "delete") => void;
}

function KeptRow({ entry, isCurrent, onOpen }: KeptRowProps) {
  const title = shownTitle(entry);
  return (
    <li class={isCurrent ? "kept-row current" : "kept-row"}>
      <a href={hrefWith("try", { c: entry.id })} aria-current={isCurrent ? "true" : null} title={title}>
        <span class="kept-title" dir="auto">
          {title}
        </span>
        <span class="muted">{formatAgo(entry.at, Date.now())}</span>
      </a>
      <span class="kept-actions">
        <Button
          isSmall
          kind="quiet"
          label={text("try.kept.rename.label", { title })}
          tip={text("try.kept.rename")}
          onClick={() => onOpen("rename")}
        >
          <Icon name="rename" />
        </Button>
        <Button
          isSmall
          kind="quiet"
          label={text("try.kept.delete.label", { title })}
          tip={text("try.kept.delete")}
          onClick={() => onOpen("delete")}
        >
          <Icon name="delete" />
        </Button>
      </span>
    </li>
  );
}

const shownTitle = ({ title }: ChatEntry) => title || text("try.kept.untitled");

interface KeptDialogProps {
  open: NonNullable<Open>;
  entries: readonly ChatEntry[];
  onClose: () => void;
}

function KeptDialog({ open, entries, onClose }: KeptDialogProps) {
  if (open.kind === "rename") return <RenameDialog entry={open.entry} onClose={onClose} />;
  const chosen = open.kind === "delete" ? [open.entry] : entries;
  return (
    <ConfirmDialog
      title={text(open.kind === "delete" ? "try.kept.delete.title" : "try.kept.clear.title")}
      action={text(open.kind === "delete" ? "try.kept.delete" : "try.kept.clear")}
      onConfirm={() => forgetChats(chosen)}
      onClose={onClose}
    >
      <p>
        {open.kind === "delete"
          ? text("try.kept.delete.about", { title: shownTitle(open.entry) })
          : countedText("try.kept.clear.about", entries.length)}
      </p>
    </ConfirmDialog>
  );
}

function RenameDialog({ entry, onClose }: { entry: ChatEntry; onClose: () => void }) {
  return (
    <Dialog title={text("try.kept.rename.title")} onClose={onClose}>
      <Form
        submit={text("try.kept.rename")}
        onSubmit={async ({ title = "" }) => {
          if (title !== "") await renameChat(entry, title.slice(0, 200));
          onClose();
        }}
        actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
      >
        <Field label={text("try.kept.name")} name="title" value={entry.title} autocomplete="off" isFocused />
      </Form>
    </Dialog>
  );
}
