/** The fields that an `AgentList` keeps in its members. */
export interface Listed<Member extends Listed<Member>> {
  /** The list that the member is in, and its neighbours there. */
  list: AgentList<Member> | undefined;
  previous: Member | undefined;
  next: Member | undefined;
}

/**
 * A linked list of agents; each is in one list at most. Iterating a `Set` also walks past the entries that
 * were deleted from its beginning: with ten thousand agents that takes as long as a system call.
 */
export class AgentList<Member extends Listed<Member>> {
  #first: Member | undefined;
  #last: Member | undefined;

  /**
   * Returns the first agent that passes the test. The test may move the agent that it looks at, and no other.
   */
  find(test: (agent: Member) => boolean): Member | undefined {
    for (let agent = this.#first; agent; ) {
      const { next } = agent;
      if (test(agent)) return agent;
      agent = next;
    }
    return undefined;
  }

  /** Takes the agent out of the list that it is in, and puts it at the end of `list` if there is one. */
  static move<Member extends Listed<Member>>(agent: Member, list: AgentList<Member> | undefined): void {
    if (agent.list) agent.list.#remove(agent);
    agent.list = list;
    if (list) list.#add(agent);
  }

  #add(agent: Member): void {
    agent.previous = this.#last;
    if (this.#last) this.#last.next = agent;
    else this.#first = agent;
    this.#last = agent;
  }

  #remove(agent: Member): void {
    const { previous, next } = agent;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    agent.previous = undefined;
    agent.next = undefined;
  }
}
