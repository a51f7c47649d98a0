package runtimeapi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// Memory is the most that the process had in memory so far, in bytes; 0 on
// systems that do not tell. (What wait4 tells counts its parent in.)
func (p *Process) Memory() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, peak, _ := strings.Cut(string(raw), "VmHWM:")
	var kb int64
	fmt.Sscan(peak, &kb)
	return kb << 10
}
