// Package harness runs the built Worker in workerd or Miniflare, each on its own port and storage.
package harness

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// startTimeout bounds the time until a server listens.
const startTimeout = 60 * time.Second

// Worker is a running Worker.
type Worker struct {
	// URL is the Worker's address. It stays the same over a Restart.
	URL string
	// Storage is the folder of the Worker's objects.
	Storage string

	t       T
	serve   serveCommand
	vars    []string
	port    int
	command *exec.Cmd
	log     *log
}

// serveCommand returns the command that serves a Worker, given the arguments of `cargo xtask
// serve`.
type serveCommand func(arguments []string) *exec.Cmd

// defaultVars returns the variables of Start: an object for each lease, as on Cloudflare, unless
// E2E_REGISTRY_SHARDS sets a fixed number of objects, as self-hosted; and all log levels, because
// tests read the entries of sweeps.
func defaultVars() []string {
	shards := os.Getenv("E2E_REGISTRY_SHARDS")
	if shards == "" {
		shards = "0"
	}
	return []string{"REGISTRY_SHARDS=" + shards, "LOG_LEVEL=debug"}
}

// Start runs the Worker in workerd until the test ends. Each of vars is NAME=VALUE.
func Start(t T, vars ...string) *Worker {
	t.Helper()
	return start(t, xtaskServe, append(defaultVars(), vars...))
}

// StartExample runs the Worker in folder until the test ends.
func StartExample(t T, folder string) *Worker {
	t.Helper()
	return start(t, func(arguments []string) *exec.Cmd {
		return xtaskServe(append(arguments, "--worker", folder))
	}, nil)
}

func start(t T, serve serveCommand, vars []string) *Worker {
	t.Helper()
	worker := &Worker{t: t, serve: serve, vars: vars, Storage: storageFolder(t), log: &log{}}
	worker.run()
	t.Cleanup(func() {
		worker.Kill()
		if t.Failed() {
			if text := exchanges.text(strings.TrimPrefix(worker.URL, "http://")); text != "" {
				t.Logf("the last requests and responses:\n%s", text)
			}
			t.Logf("the last lines of the Worker's log:\n%s", worker.log.tail(50))
		}
	})
	return worker
}

// Kill ends the Worker with SIGKILL: it cannot flush its state or close its connections.
func (w *Worker) Kill() {
	if attributes := w.command.SysProcAttr; attributes != nil && attributes.Setpgid {
		_ = syscall.Kill(-w.command.Process.Pid, syscall.SIGKILL)
	}
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
}

// Restart kills the Worker and starts it again on the same storage and port.
func (w *Worker) Restart() {
	w.t.Helper()
	w.Kill()
	w.run()
}

// RestartWith is Restart with variables that replace those of the same name.
func (w *Worker) RestartWith(vars ...string) {
	w.t.Helper()
	w.vars = append(w.vars, vars...)
	w.Restart()
}

// Client returns a Connect client of the Worker, with the binary codec by default.
func (w *Worker) Client(options ...connect.ClientOption) discoveryv1connect.DiscoveryServiceClient {
	return discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, w.URL, options...)
}

func (w *Worker) run() {
	w.t.Helper()
	arguments := []string{"--storage", w.Storage, "--port", fmt.Sprint(w.port)}
	for _, v := range w.vars {
		arguments = append(arguments, "--var", v)
	}
	w.command = w.serve(arguments)
	output, err := w.command.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.command.Stderr = w.log
	if err := w.command.Start(); err != nil {
		w.t.Fatal(err)
	}
	port := make(chan int, 1)
	go w.log.follow(output, port)
	select {
	case w.port = <-port:
		w.URL = fmt.Sprintf("http://127.0.0.1:%d", w.port)
	case <-time.After(startTimeout):
		w.port = 0
	}
	if w.port == 0 {
		w.Kill()
		w.t.Fatalf("the Worker does not listen:\n%s", w.log.text())
	}
}

// xtaskServe returns the command `cargo xtask serve` for a Worker that is built already.
func xtaskServe(arguments []string) *exec.Cmd {
	return Xtask(append([]string{"serve", "--no-build"}, arguments...)...)
}

// Xtask returns a command of xtask. XTASK names its executable; without it, cargo builds and runs
// xtask, for tests that are run by `go test` alone.
func Xtask(arguments ...string) *exec.Cmd {
	if program := os.Getenv("XTASK"); program != "" {
		return exec.Command(program, arguments...)
	}
	cargo := []string{"run", "--quiet", "--package", "xtask", "--"}
	return exec.Command("cargo", append(cargo, arguments...)...)
}
