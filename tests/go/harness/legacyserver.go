package harness

import (
	"bufio"
	"fmt"
	"net/http"
	"os/exec"
	"strings"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// LegacyServer is a stand-in of the server that the Worker replaces, in a process of its own.
type LegacyServer struct {
	// URL is where it answers. It stays the same over a Restart.
	URL string

	t       T
	address string
	command *exec.Cmd
}

// StartLegacyServer runs one until the test ends.
func StartLegacyServer(t T) *LegacyServer {
	t.Helper()
	old := &LegacyServer{t: t, address: "127.0.0.1:0"}
	old.Start()
	t.Cleanup(old.Kill)
	return old
}

// Start starts it again after Kill: it knows nobody then.
func (o *LegacyServer) Start() {
	o.t.Helper()
	// Another process may have got its port meanwhile, for a moment.
	Eventually(o.t, startDeadline, "the old server listens", o.start)
}

func (o *LegacyServer) start() bool {
	o.t.Helper()
	o.command = exec.Command(Build(o.t, "legacyserver"), "-address", o.address)
	output, err := o.command.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.command.Start(); err != nil {
		o.t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		o.Kill()
		return false
	}
	o.address = strings.TrimSpace(line)
	o.URL = "http://" + o.address
	return true
}

// Kill ends it.
func (o *LegacyServer) Kill() {
	_ = o.command.Process.Kill()
	_ = o.command.Wait()
}

// Delay has it answer every call so many milliseconds later.
func (o *LegacyServer) Delay(ms int) {
	o.t.Helper()
	answer, err := http.Post(fmt.Sprintf("%s/delay?ms=%d", o.URL, ms), "", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		o.t.Fatalf("delay: %s", answer.Status)
	}
}

// Client is a Connect client of it.
func (o *LegacyServer) Client() discoveryv1connect.DiscoveryServiceClient {
	return discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, o.URL, connect.WithProtoJSON())
}
