package harness

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Line is what the Worker logs of one request.
type Line struct {
	Level          string `json:"level"`
	RPC            string `json:"rpc"`
	Status         int    `json:"status"`
	Codec          string `json:"codec"`
	Code           string `json:"code"`
	Cause          string `json:"cause"`
	DurationMs     *int   `json:"duration_ms"`
	ObjectMs       *int   `json:"object_ms"`
	BytesIn        int    `json:"bytes_in"`
	BytesOut       int    `json:"bytes_out"`
	AnsweredBy     string `json:"answered_by"`
	Legacy         string `json:"legacy"`
	ObjectRequests int    `json:"object_requests"`
	RowsRead       int    `json:"rows_read"`
	RowsWritten    int    `json:"rows_written"`
	KVReads        int    `json:"kv_reads"`
	KVWrites       int    `json:"kv_writes"`
	Mesh           string `json:"mesh"`
	Country        string `json:"country"`
	Colo           string `json:"colo"`
	Ray            string `json:"ray"`
	Environment    string `json:"environment"`
	Version        string `json:"version"`
}

// Sweep is what an object logs of one sweep.
type Sweep struct {
	Object      string `json:"sweep"`
	RowsRead    int    `json:"rows_read"`
	RowsWritten int    `json:"rows_written"`
	Cause       string `json:"cause"`
}

// Forward is what the Worker logs of a registration at the old server, after the answer.
type Forward struct {
	Method string `json:"forward"`
	Legacy string `json:"legacy"`
	Cause  string `json:"cause"`
	Level  string `json:"level"`
}

// Forwards returns those so far.
func (w *Worker) Forwards() []Forward {
	var forwards []Forward
	for _, text := range w.log.snapshot() {
		var forward Forward
		if json.Unmarshal([]byte(text), &forward) == nil && forward.Method != "" {
			forwards = append(forwards, forward)
		}
	}
	return forwards
}

// Request returns the line of the request that was sent with this Cf-Ray. Logs arrive a little
// after the answer.
func (w *Worker) Request(ray string) Line {
	w.t.Helper()
	var found Line
	Eventually(w.t, 10*time.Second, "a line of the log with ray "+ray, func() bool {
		for _, text := range w.log.snapshot() {
			var line Line
			if json.Unmarshal([]byte(text), &line) == nil && line.Ray == ray {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// LastRequest returns the line of the request with this Cf-Ray that came last, once it is there.
func (w *Worker) LastRequest(ray string) Line {
	w.t.Helper()
	var last Line
	// A request is only over once it is logged: those with the same ray are made one after another.
	w.Request(ray)
	for _, text := range w.log.snapshot() {
		var line Line
		if json.Unmarshal([]byte(text), &line) == nil && line.Ray == ray {
			last = line
		}
	}
	return last
}

// Sweeps returns the sweeps so far of the object of that name. The log has a hash of the id in it.
func (w *Worker) Sweeps(object string) []Sweep {
	if kind, id, _ := strings.Cut(object, ":"); kind == "colony" || kind == "agent" || kind == "relay" {
		object = fmt.Sprintf("%s:%x", kind, sha256.Sum256([]byte(id)))[:len(kind)+1+16]
	}
	var sweeps []Sweep
	for _, text := range w.log.snapshot() {
		var sweep Sweep
		if json.Unmarshal([]byte(text), &sweep) == nil && sweep.Object == object {
			sweeps = append(sweeps, sweep)
		}
	}
	return sweeps
}

// Lines returns all that the Worker wrote so far, line by line.
func (w *Worker) Lines() []string { return w.log.snapshot() }

// Log returns all that the Worker wrote so far.
func (w *Worker) Log() string { return w.log.text() }
