// Storage of an object, each use of it in one crossing. The key-value API is synchronous.

export function get(storage, key) {
  return storage.kv.get(key);
}

export function put(storage, key, value) {
  // A copy: `value` is a view of memory that is soon reused.
  storage.kv.put(key, value.slice());
}

export function remove(storage, key) {
  return storage.kv.delete(key);
}

/** Lists keys with a prefix, each followed by its value; at most `limit` of them. */
export function list(storage, prefix, limit) {
  return [...storage.kv.list({ prefix, limit })].flat();
}

export function getAlarm(storage) {
  return storage.getAlarm();
}

export function setAlarm(storage, milliseconds) {
  return storage.setAlarm(milliseconds);
}

export function deleteAll(storage) {
  return storage.deleteAll();
}
