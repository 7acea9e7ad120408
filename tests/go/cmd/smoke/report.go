package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// report is the result of a run.
type report struct {
	URL       string    `json:"url"`
	Started   time.Time `json:"started"`
	Version   string    `json:"version"`
	Checks    []check   `json:"checks"`
	Latencies []latency `json:"latencies"`
	OK        bool      `json:"ok"`

	quiet, strict bool
}

// Outcomes of a check.
const (
	outcomeOK      = "ok"
	outcomeSkipped = "skipped"
	outcomeFailed  = "failed"
)

// check is the result of one check.
type check struct {
	Name    string  `json:"name"`
	Codec   string  `json:"codec,omitempty"`
	Outcome string  `json:"outcome"` // ok, skipped or failed
	Ms      float64 `json:"ms"`
	Why     string  `json:"why,omitempty"`
}

// skipped is the error of a check whose feature is not configured.
type skipped string

func (s skipped) Error() string { return string(s) }

// check runs a check, and prints and records its result.
func (r *report) check(name, codec string, run func() error) {
	started := time.Now()
	err := run()
	result := check{
		Name: name, Codec: codec, Outcome: outcomeOK, Ms: milliseconds(time.Since(started)),
	}
	if why, isSkipped := err.(skipped); isSkipped && !r.strict {
		result.Outcome, result.Why = outcomeSkipped, string(why)
	} else if err != nil {
		result.Outcome, result.Why = outcomeFailed, err.Error()
	}
	r.Checks = append(r.Checks, result)
	if r.quiet {
		return
	}
	fmt.Printf("%-8s %-5s %s", result.Outcome, codec, name)
	if result.Why != "" {
		fmt.Printf(": %s", result.Why)
	}
	fmt.Println()
}

// finish prints the summary and returns the exit status.
func (r *report) finish() int {
	counts := map[string]int{}
	for _, check := range r.Checks {
		counts[check.Outcome]++
	}
	r.OK = counts[outcomeFailed] == 0
	if r.quiet {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(r)
	} else {
		for _, l := range r.Latencies {
			fmt.Printf("%-8s %-5s %s: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms, %d calls\n",
				"latency", l.Codec, l.Name, l.P50, l.P95, l.P99, l.Max, l.Calls)
		}
		fmt.Printf("%s, version %s: %d ok, %d skipped, %d failed\n",
			r.URL, r.Version, counts[outcomeOK], counts[outcomeSkipped], counts[outcomeFailed])
	}
	if r.OK {
		return 0
	}
	return 1
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
