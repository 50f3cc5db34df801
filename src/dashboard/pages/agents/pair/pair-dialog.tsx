import { api } from "../../../api/api.ts";
import type { AddedPairing } from "../../../api/types.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { Field } from "../../../components/field.tsx";
import { Form } from "../../../components/form.tsx";
import { readNameList } from "../../../name-list.ts";
import { useState } from "../../../state/hooks.ts";
import { publicUrl } from "../../../state/server-url.ts";
import { text } from "../../../texts/texts.ts";
import { ModelsField } from "../add-key-dialog.tsx";
import { AddressField } from "../join/address-field.tsx";
import { proposedAddress, readServer, type ServerAddress } from "../join/server-address.ts";
import { EMPTY_KEY_FORM, keyChangesOf } from "../key-form.ts";
import { findOwner, KeyPreferenceFields } from "../key-preference-fields.tsx";
import type { MadePairing } from "./made-pairing.ts";
import { secondsUntil } from "./pairing-text.ts";
import { PairingView } from "./pairing-view.tsx";

interface PairDialogProps {
  isCluster: boolean;
  /** The server's time, in milliseconds since 1970. */
  now: number;
  /** Called when a code was made, revoked or used. */
  onChange: () => void;
  onClose: () => void;
}

const PAGE: ServerAddress = { isSecure: location.protocol === "https:", host: location.host };

/** Makes a pairing code, shows how to use it, and waits until an agent has done so. */
export function PairDialog({ isCluster, now, onChange, onClose }: PairDialogProps) {
  const [made, setMade] = useState<MadePairing | undefined>(undefined);
  const [address, setAddress] = useState(() =>
    proposedAddress({ publicUrl: publicUrl(), page: PAGE, isCluster }),
  );
  const server = readServer(address, PAGE);
  const make = async (fields: Record<string, string>) => {
    if (server === undefined) throw new Error(text("pairing.noAddress"));
    const pairing = await addPairing(fields);
    // The clock of this machine may be wrong.
    const leftMs = secondsUntil(Date.parse(pairing.expires_at), now) * 1000;
    setMade({ pairing, server, endMs: performance.now() + leftMs });
    onChange();
  };
  return (
    <Dialog title={text("pairing.title")} onClose={onClose}>
      {made ? (
        <PairingView
          key={made.pairing.id}
          made={made}
          onChange={onChange}
          onAgain={() => setMade(undefined)}
          onClose={onClose}
        />
      ) : (
        <Form
          submit={text("pairing.make")}
          onSubmit={make}
          actions={<Button onClick={onClose}>{text("dialog.cancel")}</Button>}
        >
          <p>{text("pairing.about")}</p>
          <Field
            label={text("pairing.name")}
            name="name"
            isFocused
            autocomplete="off"
            hint={text("pairing.name.hint")}
          />
          <AddressField address={address} server={server} isCluster={isCluster} onAddress={setAddress} />
          <ModelsField />
          <KeyPreferenceFields values={EMPTY_KEY_FORM} />
        </Form>
      )}
    </Dialog>
  );
}

async function addPairing({ name, models = "", ...fields }: Record<string, string>): Promise<AddedPairing> {
  const names = readNameList(models);
  const changes = await keyChangesOf(EMPTY_KEY_FORM, fields, findOwner);
  return api.addPairing({ ...(name && { name }), ...(names && { models: names }), ...changes });
}
