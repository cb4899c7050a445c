//go:build !unix

package sender

// lock does nothing where there is no lock: changes are made by one process.
func lock(string) (unlock func(), err error) { return func() {}, nil }
