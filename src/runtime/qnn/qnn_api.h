// The QNN C interface as Heddle uses it, from both sides: the addon calls it, the reference backend implements it.
#pragma once

#include "interface.h"
#include "system.h"
#include "types.h"
