package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls do for 0 to n−1 on every processor, share of them at a time, and returns
// when all are done. The core is a function of one customer, so what is asked of many
// can be asked at once; what follows is joined by the caller, in order.
func each(n, share int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+share-1)/share)
	var taken atomic.Int64
	work := func() {
		for {
			end := int(taken.Add(int64(share)))
			if end-share >= n {
				return
			}
			for i := end - share; i < min(end, n); i++ {
				do(i)
			}
		}
	}
	var others sync.WaitGroup
	for range workers - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// fewAtOnce is how many customers a processor takes at once where each is a few
// microseconds of work: fewer, and taking costs as much.
const fewAtOnce = 8
