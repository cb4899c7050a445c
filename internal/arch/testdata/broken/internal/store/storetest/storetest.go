// Package storetest is a suite that knows who passes it.
package storetest

import _ "rapport/internal/store/sqlite" // want adapter-imports-adapter
