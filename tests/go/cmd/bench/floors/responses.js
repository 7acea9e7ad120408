// Constant responses, as long as those of the service.
const LOOKUP = {
  json: '{"meshId":"bench-0","pubkey":"MAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","endpoints":["10.0.0.0:51820","192.0.2.10:51820"],"meshIpv4":"100.64.0.1","meshIpv6":"fd42::1","connectPort":9000,"metadata":{"environment":"load","version":"v0.1.0"},"lastSeen":"2026-11-24T22:41:25.771Z","observedEndpoints":[{"ip":"203.0.113.9","port":40000,"protocol":"udp"}],"publicPort":8443}',
  proto: bytes(
    "CgdiZW5jaC0wEixNQUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFPRoOMTAuMC4wLjA6NTE4MjAaEDE5Mi4wLjIuMTA6NTE4MjAiCjEwMC42NC4wLjEqB2ZkNDI6OjEwqEY6EwoLZW52aXJvbm1lbnQSBGxvYWQ6EQoHdmVyc2lvbhIGdjAuMS4wQgwIlaWY2AYQwI3S7wJKFgoLMjAzLjAuMTEzLjkQwLgCGgN1ZHBg+0E=",
  ),
};
const REGISTER = {
  json: '{"success":true,"ttl":300,"expiresAt":"2026-11-24T22:41:25.771Z","observedEndpoint":{"ip":"203.0.113.9","port":40000,"protocol":"udp"},"stunServers":["stun.cloudflare.com:3478"]}',
  proto: bytes(
    "CAEQrAIaDAiVpZjYBhDAjdLvAiIWCgsyMDMuMC4xMTMuORDAuAIaA3VkcCoYc3R1bi5jbG91ZGZsYXJlLmNvbTozNDc4",
  ),
};

const PROTO = { headers: { "content-type": "application/proto" } };
const JSON = { headers: { "content-type": "application/json" } };

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Responds to a call of either method in the codec of the content type. */
export function respond(url, type) {
  const response = url.endsWith("/RegisterColony") ? REGISTER : LOOKUP;
  return type === "application/proto"
    ? new Response(response.proto, PROTO)
    : new Response(response.json, JSON);
}
