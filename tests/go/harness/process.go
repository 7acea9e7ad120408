package harness

import (
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Usage is the processor time and memory of a process.
type Usage struct {
	// CPU is the processor time of all threads since the process started.
	CPU time.Duration
	// RSS is the resident memory in bytes, and PeakRSS its maximum so far.
	RSS, PeakRSS uint64
}

// clockTick is the unit of processor time in Linux: 1/100 s on every platform that Go supports.
const clockTick = time.Second / 100

// Usage returns the usage of the Worker's process so far.
func (w *Worker) Usage() Usage {
	w.t.Helper()
	process, err := procfs.NewProc(w.PID())
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
		CPU:     time.Duration(stat.UTime+stat.STime) * clockTick,
		RSS:     status.VmRSS,
		PeakRSS: status.VmHWM,
	}
}

// WaitUntilIdle waits until the alarms that calls have set are handled.
func (w *Worker) WaitUntilIdle() {
	w.t.Helper()
	// Except for the alarm at the end of a lease, calls set alarms at most this far ahead.
	const quiet, idle = 3 * time.Second, 50 * time.Millisecond
	for range 40 {
		before := w.Usage().CPU
		time.Sleep(quiet)
		if w.Usage().CPU-before < idle {
			return
		}
	}
}

// pinned returns a command that runs on one core, where the machine has taskset.
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

// StartPinned runs the Worker on one core until the test ends, without the defaults of Start.
func StartPinned(t T, core string, vars ...string) *Worker {
	t.Helper()
	serve := func(arguments []string) *exec.Cmd { return pinned(xtaskServe(arguments), core) }
	return start(t, serve, vars)
}

// StartPinnedOf is StartPinned for the Worker of another checkout, given the path of its xtask.
func StartPinnedOf(t T, xtask, core string, vars ...string) *Worker {
	t.Helper()
	serve := func(arguments []string) *exec.Cmd {
		return pinned(exec.Command(xtask, append([]string{"serve", "--no-build"}, arguments...)...),
			core)
	}
	return start(t, serve, vars)
}

// StartConfig runs workerd with another configuration than the Worker's on one core, until the test
// ends. The configuration's service "objects" is a disk directory in the Worker's storage.
func StartConfig(t T, core, config string) *Worker {
	t.Helper()
	return start(t, func(arguments []string) *exec.Cmd {
		storage := arguments[1]
		if err := os.MkdirAll(storage+"/objects", 0o700); err != nil {
			t.Fatal(err)
		}
		workerd := exec.Command(Path("node_modules", ".bin", "workerd"), "serve",
			"--control-fd=1", "--socket-addr=http=127.0.0.1:0",
			"--directory-path=objects="+storage+"/objects", config)
		return pinned(workerd, core)
	}, nil)
}

// PID returns the process id of the Worker.
func (w *Worker) PID() int { return w.command.Process.Pid }

// filesPerObject is the number of files that workerd keeps open for an object: SQLite's database,
// write-ahead log and index.
const filesPerObject = 3

// MaxOpenObjects returns the number of objects that one process can have open at once, given the
// machine's limit of open files.
func MaxOpenObjects() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	const otherFiles = 3_000
	return max(0, int(min(limit.Cur, 1<<30))-otherFiles) / filesPerObject
}
