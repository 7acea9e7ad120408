// Command smoke tests a deployment: every RPC with real clients in both codecs, the errors that
// clients rely on, and the latency of calls. It leaves leases and quotas behind, which expire.
package main

import (
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
	options := options{}
	flag.StringVar(&options.url, "url", "",
		"the deployment: scheme and host, without a slash at the end (required)")
	flag.StringVar(&options.version, "version", "",
		"the id that the deployed version must have; with -worker, the version to call")
	flag.StringVar(&options.worker, "worker", "",
		"the name of the Worker in wrangler.toml, to call its -version while others are deployed")
	flag.BoolVar(&options.expiry, "expiry", false,
		"also wait until a lease expires: more than five minutes")
	flag.BoolVar(&options.strict, "strict", false,
		"fail if bootstrap tokens or relays are not configured")
	flag.IntVar(&options.calls, "calls", 40,
		"number of calls of each kind to time, at most 100, so that no rate limit is reached")
	flag.BoolVar(&options.json, "json", false,
		"print one JSON object instead of lines")
	flag.Parse()
	if !options.areValid() || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	options.url = strings.TrimRight(options.url, "/")
	os.Exit(run(options))
}

// options are the values of the flags.
type options struct {
	url, version, worker string
	expiry, strict, json bool
	calls                int
}

func (o options) areValid() bool {
	return o.url != "" && o.calls >= 1 && o.calls <= 100 && (o.worker == "" || o.version != "")
}

// callTimeout bounds a call, as in clients in the field.
const callTimeout = 10 * time.Second

func run(options options) int {
	report := &report{
		URL: options.url, quiet: options.json, strict: options.strict, Started: time.Now().UTC(),
	}
	d := deployment{
		options: options,
		http:    &http.Client{Timeout: callTimeout, Transport: versionOverride{options}},
		run:     strings.ToLower(ulid.Make().String()),
	}
	d.awaitVersion()
	d.checkHTTP(report)
	for _, codec := range []string{"proto", "json"} {
		d.checkCalls(report, codec)
	}
	d.measureLatencies(report)
	if options.expiry {
		d.checkExpiry(report)
	}
	return report.finish()
}

// clientOptions returns the options of connect-go for a codec. JSON requests are compressed, so
// that compression is tested too.
func clientOptions(codec string) []connect.ClientOption {
	if codec == "json" {
		return []connect.ClientOption{connect.WithProtoJSON(), connect.WithSendGzip()}
	}
	return nil
}

// versionOverride is a transport that requests the version of the options, if they name a Worker.
type versionOverride struct{ options }

// RoundTrip implements http.RoundTripper.
func (o versionOverride) RoundTrip(request *http.Request) (*http.Response, error) {
	if o.worker != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Cloudflare-Workers-Version-Overrides",
			fmt.Sprintf("%s=%q", o.worker, o.version))
	}
	return http.DefaultTransport.RoundTrip(request)
}
