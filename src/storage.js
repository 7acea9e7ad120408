// An object's storage, each use of it in one crossing. The key-value API is synchronous.

export function get(storage, key) {
  return storage.kv.get(key);
}

export function put(storage, key, value) {
  // A copy: the view is of memory that is soon used otherwise.
  storage.kv.put(key, value.slice());
}

export function remove(storage, key) {
  return storage.kv.delete(key);
}

/** All keys that begin so with what is stored under them, or no more than a number of them. */
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
