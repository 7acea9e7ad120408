// Floor A: what the platform takes for any call. Reads the body and answers what it would for a colony.
import { answer } from "./responses.js";

export default {
  async fetch(request) {
    const type = request.headers.get("content-type");
    await request.arrayBuffer();
    return answer(request.url, type);
  },
};
