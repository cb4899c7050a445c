package dispatch

import "time"

// Measuring makes it so long since the pace of handing over was measured.
func (d *Dispatch) Measuring(since time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.measured = time.Now().Add(-since)
}
