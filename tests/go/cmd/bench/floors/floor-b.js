// Floor B: the platform's minimum for a call that one object handles, addressed by its key. The
// object reads or writes one row with SQL and returns a constant response.
import { DurableObject } from "cloudflare:workers";
import { respond } from "./responses.js";

const decoder = new TextDecoder();

/** Returns the mesh id: the first field of the message in both codecs. */
function key(body, type) {
  if (type === "application/proto") {
    return decoder.decode(body.subarray(2, 2 + body[1]));
  }
  return /"mesh_?[iI]d"\s*:\s*"([^"]*)"/.exec(decoder.decode(body))[1];
}

export class Floor extends DurableObject {
  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, record BLOB)",
    );
  }

  async fetch(request) {
    const { sql } = this.ctx.storage;
    const body = await request.arrayBuffer();
    if (request.url.endsWith("/RegisterColony")) {
      sql.exec("INSERT OR REPLACE INTO records VALUES ('only', ?)", body);
    } else {
      sql.exec("SELECT record FROM records WHERE id = 'only'").toArray();
    }
    return respond(request.url, request.headers.get("content-type"));
  }
}

export default {
  async fetch(request, env) {
    const type = request.headers.get("content-type");
    const body = new Uint8Array(await request.arrayBuffer());
    const object = env.FLOOR.get(env.FLOOR.idFromName(key(body, type)));
    return object.fetch(request.url, { method: "POST", body, headers: { "content-type": type } });
  },
};
