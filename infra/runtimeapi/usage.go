package runtimeapi

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// CPU is what the process has computed so far: to the nanosecond, from what
// Linux's scheduler counts for each thread (proc(5), schedstat). It is 0 on
// systems that do not tell.
func (p *Process) CPU() time.Duration {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	var all time.Duration
	for _, t := range threads {
		var ns time.Duration
		if raw, err := os.ReadFile(t); err == nil {
			fmt.Sscan(string(raw), &ns) // a thread that just ended counts nothing
		}
		all += ns
	}
	return all
}

// Memory is the most that a process that was closed had in memory, in bytes.
func (p *Process) Memory() int64 {
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}
