package engine

// UnpackWanted is what a catch-up reads blocks with.
var UnpackWanted = appendUnpacked
