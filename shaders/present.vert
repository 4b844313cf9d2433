// One triangle over the whole target.

#include "lib/screen.glsl"
