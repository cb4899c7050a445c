package dispatch

import "time"

// ServiceInFlight is how many service messages may be in flight.
const ServiceInFlight = serviceInFlight

// Measuring makes it so long since the pace of handing over was measured.
func (d *Dispatch) Measuring(since time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.measured = time.Now().Add(-since)
}
