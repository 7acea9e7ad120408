package harness

import (
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/procfs"
)

// Usage is what a process has taken of the machine.
type Usage struct {
	// CPU is processor time since it started, of all its threads.
	CPU time.Duration
	// RSS is the memory that it has now, in bytes, and PeakRSS the most that it ever had.
	RSS, PeakRSS uint64
}

// tick is how Linux counts processor time: a hundred a second on every platform that Go runs on.
const tick = time.Second / 100

// Usage returns what the Worker's process has taken so far.
func (w *Worker) Usage() Usage {
	w.t.Helper()
	process, err := procfs.NewProc(w.command.Process.Pid)
	if err != nil {
		w.t.Fatal(err)
	}
	stat, err := process.Stat()
	if err != nil {
		w.t.Fatal(err)
	}
	status, err := process.NewStatus()
	if err != nil {
		w.t.Fatal(err)
	}
	return Usage{
		CPU:     time.Duration(stat.UTime+stat.STime) * tick,
		RSS:     status.VmRSS,
		PeakRSS: status.VmHWM,
	}
}

// pinned runs a command on one core, where the machine can do so.
func pinned(command *exec.Cmd, core string) *exec.Cmd {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return command
	}
	arguments := append([]string{"-c", core, command.Path}, command.Args[1:]...)
	pinned := exec.Command(taskset, arguments...)
	pinned.Env, pinned.Dir = command.Env, command.Dir
	return pinned
}

// StartPinned is Start on one core, with no defaults but those of the Worker.
func StartPinned(t T, core string, vars ...string) *Worker {
	t.Helper()
	return start(t, func(arguments []string) *exec.Cmd { return pinned(xtask(arguments), core) }, vars)
}

// StartConfig runs another configuration of workerd than the Worker's, with its objects on a service of
// that name, on one core.
func StartConfig(t T, core, config string) *Worker {
	t.Helper()
	return start(t, func(arguments []string) *exec.Cmd {
		storage := arguments[1]
		if err := os.MkdirAll(storage+"/objects", 0o700); err != nil {
			t.Fatal(err)
		}
		workerd := exec.Command("../../node_modules/.bin/workerd", "serve", "--control-fd=1",
			"--socket-addr=http=127.0.0.1:0", "--directory-path=objects="+storage+"/objects", config)
		return pinned(workerd, core)
	}, nil)
}

// PID is the id of the Worker's process.
func (w *Worker) PID() int { return w.command.Process.Pid }
