package bench

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"rapport/internal/fault"
)

// profiled runs the main measurement. If the caller asked for profiles it writes
// them around it, so that they tell nothing of the building: cpu.pprof, and the
// allocations before and after (go tool pprof -base allocs-before.pprof
// allocs.pprof), of which the latter also shows what is in use, and block.pprof, which
// tells who waited for whom.
func (b *bench) profiled(measure func() error) (err error) {
	if b.o.Profiles == "" {
		return measure()
	}
	if err := os.MkdirAll(b.o.Profiles, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder of the profiles cannot be made")
	}
	if err := b.allocations("allocs-before.pprof"); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(b.o.Profiles, "cpu.pprof"))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the profile cannot be written")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fault.Wrap(fault.Conflict, err, "the processor is being profiled already")
	}
	runtime.SetBlockProfileRate(int(blockRate))
	err = measure()
	runtime.SetBlockProfileRate(0)
	pprof.StopCPUProfile()
	return errors.Join(err, b.write("block", "block.pprof"), b.allocations("allocs.pprof"))
}

// blockRate is how long a wait must be to be certainly in the profile.
const blockRate = 20 * time.Microsecond

// profiledIn is profiled for what is measured beside the main thing: its profiles go
// into a folder of that name.
func (b *bench) profiledIn(name string, measure func() error) error {
	outer := b.o.Profiles
	defer func() { b.o.Profiles = outer }()
	if outer != "" {
		b.o.Profiles = filepath.Join(outer, name)
	}
	return b.profiled(measure)
}

func (b *bench) allocations(file string) error {
	runtime.GC() // the profile tells of finished collections
	return b.write("allocs", file)
}

func (b *bench) write(profile, file string) error {
	f, err := os.Create(filepath.Join(b.o.Profiles, file))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the profile cannot be written")
	}
	return errors.Join(pprof.Lookup(profile).WriteTo(f, 0), f.Close())
}
