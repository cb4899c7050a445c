// Package fault is a leaf.
package fault

import _ "os"
