// Floor A: the platform's minimum for any call. Reads the body and returns a constant response.
import { respond } from "./responses.js";

export default {
  async fetch(request) {
    const type = request.headers.get("content-type");
    await request.arrayBuffer();
    return respond(request.url, type);
  },
};
