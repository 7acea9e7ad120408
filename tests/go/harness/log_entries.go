package harness

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RequestEntry is the log entry of one request.
type RequestEntry struct {
	Level          string `json:"level"`
	Method         string `json:"method"`
	Status         int    `json:"status"`
	Codec          string `json:"codec"`
	Code           string `json:"code"`
	Cause          string `json:"cause"`
	DurationMs     *int   `json:"duration_ms"`
	ObjectMs       *int   `json:"object_ms"`
	BytesIn        int    `json:"bytes_in"`
	BytesOut       int    `json:"bytes_out"`
	LookupSource   string `json:"lookup_source"`
	LegacyOutcome  string `json:"legacy_outcome"`
	LegacyMs       int    `json:"legacy_ms"`
	ObjectRequests int    `json:"object_requests"`
	RowsRead       int    `json:"rows_read"`
	RowsWritten    int    `json:"rows_written"`
	KVReads        int    `json:"kv_reads"`
	KVWrites       int    `json:"kv_writes"`
	MeshHash       string `json:"mesh_hash"`
	Country        string `json:"country"`
	Colo           string `json:"colo"`
	Ray            string `json:"ray"`
	Environment    string `json:"environment"`
	Version        string `json:"version"`
}

// SweepEntry is the log entry of one sweep of an object.
type SweepEntry struct {
	Level string `json:"level"`
	// Object is the object's name with a hash in place of an id.
	Object      string `json:"object"`
	RowsRead    int    `json:"rows_read"`
	RowsWritten int    `json:"rows_written"`
	Cause       string `json:"cause"`
}

// LegacyWriteEntry is the log entry of a registration at the legacy server after the response.
type LegacyWriteEntry struct {
	Level         string `json:"level"`
	Method        string `json:"method"`
	LegacyOutcome string `json:"legacy_outcome"`
	DurationMs    int    `json:"duration_ms"`
	MeshHash      string `json:"mesh_hash"`
}

// AdminEntry is the log entry of one call of the admin service.
type AdminEntry struct {
	Level    string `json:"level"`
	Method   string `json:"method"`
	Status   int    `json:"status"`
	Code     string `json:"code"`
	MeshHash string `json:"mesh_hash"`
	Target   string `json:"target"`
	Caller   string `json:"caller"`
	Ray      string `json:"ray"`
}

// Warning is a log entry about a failure that does not change a response.
type Warning struct {
	Level   string `json:"level"`
	Message string `json:"message"`
	Cause   string `json:"cause"`
}

// Notice is a log entry about something unusual that is not a failure.
type Notice struct {
	Level   string `json:"level"`
	Message string `json:"message"`
}

// logTimeout bounds how long after a response its log entry may arrive.
const logTimeout = 10 * time.Second

// RequestEntry waits for the entry of the request with this Cf-Ray, and returns it.
func (w *Worker) RequestEntry(ray string) RequestEntry {
	w.t.Helper()
	return w.waitForRequests(ray)[0]
}

// LastRequestEntry returns the last entry so far of the requests with this Cf-Ray, and waits for
// the first one if there is none.
func (w *Worker) LastRequestEntry(ray string) RequestEntry {
	w.t.Helper()
	all := w.waitForRequests(ray)
	return all[len(all)-1]
}

func (w *Worker) waitForRequests(ray string) (found []RequestEntry) {
	w.t.Helper()
	Eventually(w.t, logTimeout, "the log has a request with ray "+ray, func() bool {
		all := entries[RequestEntry](w, "request")
		found = slices.DeleteFunc(all, func(entry RequestEntry) bool { return entry.Ray != ray })
		return len(found) > 0
	})
	return found
}

// RequestCount returns the number of logged requests of a method.
func (w *Worker) RequestCount(method string) int {
	count := 0
	for _, entry := range entries[RequestEntry](w, "request") {
		if entry.Method == method {
			count++
		}
	}
	return count
}

// Sweeps returns the entries of all sweeps.
func (w *Worker) Sweeps() []SweepEntry { return entries[SweepEntry](w, "sweep") }

// SweepsOf returns the entries of the sweeps of the object with this name.
func (w *Worker) SweepsOf(object string) []SweepEntry {
	kind, id, _ := strings.Cut(object, ":")
	if slices.Contains([]string{"colony", "agent", "relay"}, kind) {
		object = fmt.Sprintf("%s:%x", kind, sha256.Sum256([]byte(id)))[:len(kind)+1+16]
	}
	return slices.DeleteFunc(w.Sweeps(), func(sweep SweepEntry) bool { return sweep.Object != object })
}

// LegacyWrites returns the entries of all writes to the legacy server after a response.
func (w *Worker) LegacyWrites() []LegacyWriteEntry {
	return entries[LegacyWriteEntry](w, "legacy_write")
}

// AdminEntries returns the entries of all calls of the admin service.
func (w *Worker) AdminEntries() []AdminEntry { return entries[AdminEntry](w, "admin") }

// Warnings returns all warnings and faults.
func (w *Worker) Warnings() []Warning { return entries[Warning](w, "warning") }

// Notices returns all notices.
func (w *Worker) Notices() []Notice { return entries[Notice](w, "notice") }

// HasWarning returns true if the log has a warning of that level whose message contains text.
func (w *Worker) HasWarning(level, text string) bool {
	return slices.ContainsFunc(w.Warnings(), func(warning Warning) bool {
		return warning.Level == level && strings.Contains(warning.Message, text)
	})
}

// entries returns the log's entries of one event so far.
func entries[E any](w *Worker, event string) []E {
	var found []E
	for _, line := range w.log.snapshot() {
		var kind struct {
			Event string `json:"event"`
		}
		if json.Unmarshal([]byte(line), &kind) != nil || kind.Event != event {
			continue
		}
		var entry E
		if json.Unmarshal([]byte(line), &entry) == nil {
			found = append(found, entry)
		}
	}
	return found
}

// Lines returns the lines of the Worker's log so far.
func (w *Worker) Lines() []string { return w.log.snapshot() }

// Log returns the Worker's log so far.
func (w *Worker) Log() string { return w.log.text() }
