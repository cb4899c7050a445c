package value

// What the formulas rest on, for tests that compute it another way.
var (
	Gone  = gone
	LogF1 = logF1
)
