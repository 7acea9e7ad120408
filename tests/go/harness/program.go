package harness

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// T is what of testing.T is needed here: programs that are no tests bring their own.
type T interface {
	Helper()
	Logf(format string, arguments ...any)
	Fatal(arguments ...any)
	Fatalf(format string, arguments ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// Program is the T of a program: what fails ends it.
type Program struct {
	mutex    sync.Mutex
	cleanups []func()
	failed   bool
}

// failure is what Fatal panics with.
type failure struct{ text string }

// Run runs a program and exits with what it returns. Whatever it started ends with it, also when it is
// interrupted.
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

func (p *Program) run(program func(*Program) int) (code int) {
	defer p.cleanup()
	defer func() {
		switch why := recover().(type) {
		case nil:
		case failure:
			fmt.Fprintln(os.Stderr, "error:", why.text)
			code = 1
		default:
			panic(why)
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

// Failed tells whether the program is about to fail.
func (p *Program) Failed() bool { return p.failed }

// Logf writes a line to standard error.
func (p *Program) Logf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
}

// Fatal ends the program, from the goroutine that runs it.
func (p *Program) Fatal(arguments ...any) {
	p.failed = true
	panic(failure{fmt.Sprint(arguments...)})
}

// Fatalf is Fatal with a format.
func (p *Program) Fatalf(format string, arguments ...any) {
	p.Fatal(fmt.Sprintf(format, arguments...))
}

// Cleanup has something done when the program ends: the last first.
func (p *Program) Cleanup(cleanup func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cleanups = append(p.cleanups, cleanup)
}

// TempDir returns a folder that is gone when the program ends.
func (p *Program) TempDir() string {
	folder, err := os.MkdirTemp("", "coral-discovery-")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}
