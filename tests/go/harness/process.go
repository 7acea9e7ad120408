package harness

import (
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
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

// Settle waits until the Worker has nothing more to do: what calls have left to its alarms is done.
func (w *Worker) Settle() {
	w.t.Helper()
	// No alarm that a call leaves is set for later than that, but for those at the end of a lease.
	const quiet, idle = 3 * time.Second, 50 * time.Millisecond
	for range 40 {
		before := w.Usage().CPU
		time.Sleep(quiet)
		if w.Usage().CPU-before < idle {
			return
		}
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
		workerd := exec.Command(Path("node_modules", ".bin", "workerd"), "serve", "--control-fd=1",
			"--socket-addr=http=127.0.0.1:0", "--directory-path=objects="+storage+"/objects", config)
		return pinned(workerd, core)
	}, nil)
}

// PID is the id of the Worker's process.
func (w *Worker) PID() int { return w.command.Process.Pid }

// filesOfAnObject is how many files workerd has open for an object: SQLite's database, log and index.
const filesOfAnObject = 3

// MostObjects returns how many objects can be in use at once, by how many files a process may have open.
func MostObjects() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	const others = 3_000
	return max(0, int(min(limit.Cur, 1<<30))-others) / filesOfAnObject
}
