// Smoke tells whether a deployment does what clients need of it: every RPC by real clients in both codecs, the errors that they
// act on, and how long calls take. What it leaves behind are leases and quotas, which lapse.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/oklog/ulid/v2"
)

func main() {
	told := flags{}
	flag.StringVar(&told.url, "url", "", "the deployment: scheme and host, no slash at the end (required)")
	flag.StringVar(&told.version, "version", "", "the id that the deployed version must have; with -worker, the version that is asked though others get another")
	flag.StringVar(&told.worker, "worker", "", "the name of the Worker whose -version is asked, as wrangler.toml has it")
	flag.BoolVar(&told.expiry, "expiry", false, "wait until a lease lapses, too: five minutes and more")
	flag.BoolVar(&told.strict, "strict", false, "take for broken what is not configured: tickets, relays")
	flag.IntVar(&told.calls, "calls", 40, "how many calls of each kind are timed, at most 100: the deployment's rate limits are respected")
	flag.BoolVar(&told.json, "json", false, "print one JSON object in place of lines")
	flag.Parse()
	if told.url == "" || flag.NArg() > 0 || told.calls < 1 || told.calls > 100 || (told.worker != "" && told.version == "") {
		flag.Usage()
		os.Exit(2)
	}
	told.url = strings.TrimRight(told.url, "/")
	os.Exit(run(told))
}

// flags are what the caller wants.
type flags struct {
	url, version, worker string
	expiry, strict, json bool
	calls                int
}

// patience is how long a call may take: clients in the field give up then.
const patience = 10 * time.Second

func run(told flags) int {
	report := &report{URL: told.url, quiet: told.json, strict: told.strict, Started: time.Now().UTC()}
	httpClient := &http.Client{Timeout: patience, Transport: overriding{told}}
	d := deployment{flags: told, http: httpClient, run: strings.ToLower(ulid.Make().String())}
	d.awaitVersion()
	d.wire(report)
	for _, codec := range []string{"proto", "json"} {
		d.calls(report, codec)
	}
	d.latencies(report)
	if told.expiry {
		d.lapse(report)
	}
	return report.close()
}

// options are what a codec asks of connect-go. One of them compresses, so that this is tried as well.
func options(codec string) []connect.ClientOption {
	if codec == "json" {
		return []connect.ClientOption{connect.WithProtoJSON(), connect.WithSendGzip()}
	}
	return nil
}

// overriding asks for a certain version, if the caller wants one.
type overriding struct{ flags }

// RoundTrip is that of http.RoundTripper.
func (o overriding) RoundTrip(request *http.Request) (*http.Response, error) {
	if o.worker != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Cloudflare-Workers-Version-Overrides", fmt.Sprintf("%s=%q", o.worker, o.version))
	}
	return http.DefaultTransport.RoundTrip(request)
}

// report is what was looked at.
type report struct {
	URL       string    `json:"url"`
	Started   time.Time `json:"started"`
	Version   string    `json:"version"`
	Checks    []check   `json:"checks"`
	Latencies []latency `json:"latencies"`
	OK        bool      `json:"ok"`

	quiet, strict bool
}

// check is one thing that must hold.
type check struct {
	Name    string  `json:"name"`
	Codec   string  `json:"codec,omitempty"`
	Outcome string  `json:"outcome"` // ok, skipped or broken
	Ms      float64 `json:"ms"`
	Why     string  `json:"why,omitempty"`
}

// skipped is why something was not looked at.
type skipped string

func (s skipped) Error() string { return string(s) }

// check looks at one thing, and notes what is wrong with it.
func (r *report) check(name, codec string, look func() error) {
	started := time.Now()
	err := look()
	found := check{Name: name, Codec: codec, Outcome: "ok", Ms: milliseconds(time.Since(started))}
	if why, ok := err.(skipped); ok && !r.strict {
		found.Outcome, found.Why = "skipped", string(why)
	} else if err != nil {
		found.Outcome, found.Why = "broken", err.Error()
	}
	r.Checks = append(r.Checks, found)
	if r.quiet {
		return
	}
	fmt.Printf("%-8s %-5s %s", found.Outcome, codec, name)
	if found.Why != "" {
		fmt.Printf(": %s", found.Why)
	}
	fmt.Println()
}

// close prints the verdict and returns the exit status.
func (r *report) close() int {
	counts := map[string]int{}
	for _, check := range r.Checks {
		counts[check.Outcome]++
	}
	r.OK = counts["broken"] == 0
	if r.quiet {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(r)
	} else {
		for _, l := range r.Latencies {
			fmt.Printf("%-8s %-5s %s: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, longest %.1f ms, of %d calls\n",
				"time", l.Codec, l.Name, l.P50, l.P95, l.P99, l.Max, l.Calls)
		}
		fmt.Printf("%s, version %s: %d ok, %d skipped, %d broken\n", r.URL, r.Version, counts["ok"], counts["skipped"], counts["broken"])
	}
	if r.OK {
		return 0
	}
	return 1
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
