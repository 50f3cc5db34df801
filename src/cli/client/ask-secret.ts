const LENGTH_MAX = 4096;
/** Terminals mark a text that is pasted. */
const PASTE_MARKS = ["\u001b[200~", "\u001b[201~"];

/** The keys that do more than add to the text. */
const KEYS: Readonly<Record<string, "enter" | "cancel" | "clear" | "back">> = {
  ...{ "\r": "enter", "\n": "enter", "\u0003": "cancel", "\u0004": "cancel", "\u0015": "clear" },
  ...{ "\b": "back", "\u007f": "back" },
};

/**
 * Asks for a text at a terminal, which does not show it. Resolves with undefined if the user interrupts the
 * question, or the terminal is closed.
 */
export function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const entry = new SecretEntry();
  const finish = (answer: string | undefined) => {
    stdin.removeListener("data", take);
    stdin.removeListener("end", end);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
    resolve(answer);
  };
  const end = () => finish(undefined);
  const take = (bytes: Buffer) => {
    const key = entry.type(bytes.toString());
    if (key !== undefined) finish(key === "enter" ? entry.text : undefined);
  };
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.on("data", take);
  stdin.on("end", end);
  stdin.resume();
  return promise;
}

/** A text that is being typed. */
export class SecretEntry {
  text = "";

  /** Takes what the terminal sends. Returns the key that ends the entry, if it is there. */
  type(sent: string): "enter" | "cancel" | undefined {
    const typed = PASTE_MARKS.reduce((text, mark) => text.replaceAll(mark, ""), sent);
    for (const character of typed) {
      const key = KEYS[character];
      if (key === "enter" || key === "cancel") return key;
      if (key === "clear") this.text = "";
      else if (key === "back") this.text = this.text.slice(0, -1);
      else if (this.text.length < LENGTH_MAX) this.text += character;
    }
    return undefined;
  }
}
