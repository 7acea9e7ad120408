package harness

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// T is the part of testing.T that the harness uses. Programs implement it with Program.
type T interface {
	Helper()
	Logf(format string, arguments ...any)
	Fatal(arguments ...any)
	Fatalf(format string, arguments ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// Program implements T for a program. A failure ends the program.
type Program struct {
	mutex    sync.Mutex
	cleanups []func()
	failed   bool
}

// failure is the value with which Fatal panics.
type failure struct{ text string }

// Run runs a program and exits with the status that it returns. Its cleanups run also when it fails
// or is interrupted.
func Run(program func(*Program) int) {
	p := &Program{}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		p.cleanup()
		os.Exit(130)
	}()
	os.Exit(p.run(program))
}

func (p *Program) run(program func(*Program) int) (status int) {
	defer p.cleanup()
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case failure:
			fmt.Fprintln(os.Stderr, "error:", cause.text)
			status = 1
		default:
			panic(cause)
		}
	}()
	return program(p)
}

func (p *Program) cleanup() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for len(p.cleanups) > 0 {
		last := len(p.cleanups) - 1
		cleanup := p.cleanups[last]
		p.cleanups = p.cleanups[:last]
		cleanup()
	}
}

// Helper does nothing.
func (p *Program) Helper() {}

// Failed returns true once Fatal was called.
func (p *Program) Failed() bool { return p.failed }

// Logf writes a line to standard error.
func (p *Program) Logf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
}

// Fatal ends the program with an error. Only the goroutine that runs the program may call it.
func (p *Program) Fatal(arguments ...any) {
	p.failed = true
	panic(failure{fmt.Sprint(arguments...)})
}

// Fatalf is Fatal with a format.
func (p *Program) Fatalf(format string, arguments ...any) {
	p.Fatal(fmt.Sprintf(format, arguments...))
}

// Cleanup registers a function that runs when the program ends, the last registered first.
func (p *Program) Cleanup(cleanup func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cleanups = append(p.cleanups, cleanup)
}

// TempDir returns a new folder that is removed when the program ends.
func (p *Program) TempDir() string {
	folder, err := os.MkdirTemp("", "coral-discovery-")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}
