package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Machine is where a bench ran.
type Machine struct {
	Cores    int     `json:"cores"`
	CPU      string  `json:"cpu"`
	MemoryMB int64   `json:"mem_mb"`
	OS       string  `json:"os"`
	Go       string  `json:"go"`
	PeakMB   float64 `json:"peak_rss_mb"` // of this process, the building of the shop included
}

func machine() Machine {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), CPU: "unknown"}
	if s := field("/proc/cpuinfo", "model name"); s != "" {
		m.CPU = s
	}
	m.MemoryMB = kilobytes("/proc/meminfo", "MemTotal") >> 10
	return m
}

// field returns the value of the first line “name: value” of a file of the
// operating system; empty where there is no such file.
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kilobytes(path, name string) int64 {
	v, _ := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
	return v // zero where the operating system does not say
}

// written returns how many bytes this process has had written to disks; zero
// where the operating system does not say.
func written() int64 {
	v, _ := strconv.ParseInt(field("/proc/self/io", "write_bytes"), 10, 64)
	return v
}

// worked returns how long this process has kept a core busy, the operating system's
// work for it included.
func worked() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0 // unreachable: the arguments are right
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// peakBytes returns the greatest resident size since [forgetPeak].
func peakBytes() int64 { return kilobytes("/proc/self/status", "VmHWM") << 10 }

// ownBytes returns the resident memory that is not a file's: what the process itself
// has asked for. The peak also counts pages of mapped files, which the operating
// system takes back when it needs them.
func ownBytes() int64 { return kilobytes("/proc/self/status", "RssAnon") << 10 }

// forgetPeak gives what is unused back to the operating system and starts the
// peak anew, so that it is that of the measurement and not of the building.
func forgetPeak() {
	debug.FreeOSMemory()
	// Where this cannot be written the peak includes the building: it errs upwards.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// spread is how long things took.
type spread []time.Duration

// at returns the value below which the share of all lie, in milliseconds; zero if
// there are none.
func (s spread) at(share float64) float64 {
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	return milliseconds(s[min(int(share*float64(len(s))), len(s)-1)])
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
