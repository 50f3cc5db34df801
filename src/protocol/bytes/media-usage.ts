/** The work of an ask besides its tokens. What is missing was not told, or there is none. */
export interface MediaUsage {
  /** Milliseconds of the audio that was transcribed or translated. */
  audioMs?: number | undefined;
  images?: number | undefined;
  /** The units that a ranking is billed in. */
  searchUnits?: number | undefined;
  /** The bytes of the body, if an agent got it, and of the answer as far as it came: of audio and images only. */
  inputBytes?: number | undefined;
  outputBytes?: number | undefined;
}

/** Higher figures cannot be right: 115 days of audio, and so on. */
export const MEDIA_MAX: Readonly<Record<keyof MediaUsage, number>> = {
  audioMs: 1e10,
  images: 1e6,
  searchUnits: 1e6,
  inputBytes: 1e12,
  outputBytes: 1e12,
};
