package checkpoint

import "errors"

// errLocked says that another process holds the lock. A lock belongs to an open
// file and not to a name: the system lets go of it with the process, however that
// ends, so that nobody has to clean up after a kill.
var errLocked = errors.New("is in use by another run")
