package engine_test

import (
	_ "rapport/internal/store/sqlite"
	_ "rapport/internal/store/storetest"

	_ "pgregory.net/rapid"
)
