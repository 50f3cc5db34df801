/**
 * Bounds of the frames between nodes, for the schemas, for the checks by hand, and for those who write frames. A frame
 * with more is malformed, so they may be raised only if the receivers of the version before can live with it.
 */

/** The length of an id, such as that of an ask, a slot, an agent or a node. */
export const ID_LENGTH_MAX = 128;
/** The length of a name, a user's id or a tag. */
export const NAME_LENGTH_MAX = 256;
/** The length of the key of a group of agents, and of other short words. */
export const KEY_LENGTH_MAX = 64;
/** The length of the name of a model, and of the ids of a v1 chat. */
export const MODEL_LENGTH_MAX = 1024;
/** The length of the content type of a body. */
export const CONTENT_TYPE_LENGTH_MAX = 1024;
/** The length of a text about an error. */
export const TEXT_LENGTH_MAX = 4096;

/** The models that a user may use. */
export const USER_MODELS_MAX = 10_000;
/** The groups of agents in one frame, and of one node. */
export const GROUPS_MAX = 20_000;
/** The tags of an agent, and those of which a request needs one. */
export const TAGS_MAX = 256;
/** How many such lists of tags a request may have. */
export const TAG_LISTS_MAX = 64;
/** The forms in which a request may be sent to an agent. */
export const REQUESTS_MAX = 16;
/** The agents that have been tried for a request. */
export const TRIED_MAX = 256;
/** The ids of agents that one frame tells. */
export const AGENT_IDS_MAX = 1_000;
/** The notes about caches in one frame, and the keys in one of them. */
export const AFFINITY_NOTES_MAX = 64;
export const AFFINITY_KEYS_MAX = 16;
/** The length of the id of a response or an item. */
export const RESPONSE_ID_LENGTH_MAX = 1024;
/** The deleted responses that one frame tells, and the events in one. */
export const DELETIONS_MAX = 1_000;
export const EVENTS_MAX = 1_000;
