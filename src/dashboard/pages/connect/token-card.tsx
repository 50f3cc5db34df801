import { api } from "../../api/api.ts";
import type { SessionAnswer } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Field } from "../../components/field.tsx";
import { RotateDialog } from "../../components/tokens/rotate-dialog.tsx";
import { TokenDialog } from "../../components/tokens/token-dialog.tsx";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { serverUrl } from "../../state/server-url.ts";
import { useStore } from "../../state/use-store.ts";
import { richText, text } from "../../texts/texts.ts";
import { filledToken } from "./connect-state.ts";

type User = SessionAnswer["user"];

/** The address, and the token, which is filled in only if somebody wants it to be. */
export function TokenCard({ user }: { user: User }) {
  const [isRotating, setRotating] = useState(false);
  const [rotated, setRotated] = useState<{ token: string; note: string } | undefined>(undefined);
  return (
    <Card
      title={text("connect.token.title")}
      actions={
        user ? (
          <Button isSmall onClick={() => setRotating(true)}>
            {text("connect.rotate")}
          </Button>
        ) : null
      }
    >
      <div class="stack">
        <div class="connect-address">
          <p class="label">{text("connect.address")}</p>
          <CopyField text={serverUrl()} what={text("connect.address.what")} />
        </div>
        <p>
          {user
            ? text("connect.token.user")
            : richText("connect.token.admin", {
                users: <a href={hrefOf("users")}>{text("nav.users")}</a>,
              })}
        </p>
        <TokenField />
      </div>
      {isRotating ? (
        <RotateDialog
          title={text("connect.rotate.title")}
          onRotate={async (graceS, note) => {
            const { token } = await api.rotateOwnToken(graceS);
            setRotating(false);
            setRotated({ token, note });
            filledToken.set(token);
          }}
          onClose={() => setRotating(false)}
        >
          <p>{text("connect.rotate.about")}</p>
        </RotateDialog>
      ) : null}
      {rotated ? (
        <TokenDialog
          title={text("connect.rotated.title")}
          token={rotated.token}
          note={rotated.note}
          onClose={() => setRotated(undefined)}
        />
      ) : null}
    </Card>
  );
}

function TokenField() {
  const token = useStore(filledToken);
  const [isShown, setShown] = useState(false);
  return (
    <div class="connect-token">
      <Field
        label={text("connect.token.field")}
        name="token"
        type={isShown ? "text" : "password"}
        autocomplete="off"
        value={token}
        placeholder={text("connect.token.placeholder")}
        hint={text("connect.token.hint")}
        onInput={(value) => filledToken.set(value.trim())}
      />
      {token === "" ? null : (
        <div class="row">
          <Button isSmall kind="quiet" onClick={() => setShown((before) => !before)}>
            {text(isShown ? "connect.token.hide" : "connect.token.show")}
          </Button>
          <Button isSmall kind="quiet" onClick={() => filledToken.set("")}>
            {text("connect.token.clear")}
          </Button>
        </div>
      )}
    </div>
  );
}
