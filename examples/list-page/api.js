/** The service over fetch: what it refuses is thrown as a Problem that says where. */

const PATIENCE = 3;

/** What the service says is wrong (RFC 9457): `errors` have a pointer or parameter, a message and perhaps a suggestion. */
export class Problem extends Error {
  constructor(status, told) {
    super(told.detail ?? "The service could not answer.");
    this.status = status;
    this.errors = told.errors ?? [];
    this.requestId = told.request_id;
  }
}

export class Api {
  constructor(address, key) {
    this.address = address.replace(/\/+$/, "");
    this.key = key;
  }

  /** GET with query parameters; those that are undefined are left out. */
  get(path, params = {}, signal) {
    const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== undefined));
    return this.#ask("GET", query.size ? `${path}?${query}` : path, { signal });
  }

  /** Asks a question that has a body. It may be repeated. */
  ask(path, body, signal) {
    return this.#ask("POST", path, { body, signal });
  }

  /** Makes something, once: however often it is sent, the key says that it is the same. */
  create(path, body) {
    return this.#ask("POST", path, { body, headers: { "Idempotency-Key": crypto.randomUUID() } });
  }

  /** Changes the version that was read. Somebody else's change in between is a Problem with status 412. */
  change(path, body, etag) {
    return this.#ask("PATCH", path, { body, headers: { "If-Match": etag } });
  }

  /** The answer's JSON, with its ETag beside; waits where the service says so. */
  async #ask(method, path, { body, headers = {}, signal }, tries = 1) {
    const sent = { Authorization: `Bearer ${this.key}`, ...headers };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    const answer = await fetch(this.address + path, { method, headers: sent, body: body && JSON.stringify(body), signal });
    if ([429, 503].includes(answer.status) && tries < PATIENCE) {
      const seconds = Number(answer.headers.get("Retry-After")) || 1;
      await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 5) * 1000));
      return this.#ask(method, path, { body, headers, signal }, tries + 1);
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Problem(answer.status, told);
    return { told, etag: answer.headers.get("ETag") };
  }
}
