// Colour and light. Linear light everywhere; the screen's curve is taken as a square root, exact both ways and cheap.

vec3 linear_of(vec3 screen) { return screen * screen; }

// A shoulder: straight up to the knee, so that pictures keep their colours, then towards 1 as 1 - exp(-x), of which this
// is within 0.02.
vec3 shoulder(vec3 light)
{
    vec3 above = max(light - KNEE, 0.0) / (1.0 - KNEE);
    return min(light, KNEE) + (1.0 - KNEE) * (1.0 - 1.0 / (1.0 + above + 0.5 * above * above));
}

vec3 screen_of(vec3 light) { return sqrt(shoulder(light)); }

// The light that a screen colour came from; what the shoulder pressed together is only roughly got back.
vec3 light_from(vec3 screen)
{
    vec3 light = screen * screen;
    vec3 above = min(max(light - KNEE, 0.0) / (1.0 - KNEE), 0.98);
    return min(light, KNEE) - (1.0 - KNEE) * log(1.0 - above);
}

// What additive light adds on screen over a background of this light, to be blended as src + dst * (1 - src): over that
// background exact, over a brighter one a little less than exact, and never too bright.
vec3 screen_gain_over(vec3 behind, vec3 light)
{
    vec3 dark = sqrt(behind);
    return (sqrt(behind + light) - dark) / (1.0 - min(dark, 0.9));
}

// The same where the background is only known to be dark.
vec3 screen_gain(vec3 light)
{
    const float floor_light = 0.012;
    return sqrt(light + floor_light) - sqrt(floor_light);
}

// 1 at the eye's side of the cloud, towards 0 with distance.
float clarity(float distance_to_eye)
{
    return exp(-FOG_DENSITY * max(distance_to_eye - fog_start, 0.0));
}

// An even noise of -0.5..0.5 over neighbouring pixels (Roberts' R2 sequence: one product, one fraction).
float dither(vec2 at_px) { return fract(dot(at_px, vec2(0.75487767, 0.56984029))) - 0.5; }

// How many pixels one of the picture that the look was made for takes: sizes that a person sees grow with the picture.
float unit_px() { return max(lines_px / LOOK_LINES, 1.0); }

// Where on the whole picture this place of the part of it that is drawn lies; both -1..1.
vec2 whole_of(vec2 ndc) { return ndc * whole.xy + whole.zw; }

float vignette(vec2 ndc) { return mix(1.0, VIGNETTE_LEAST, smoothstep(VIGNETTE_FROM, VIGNETTE_TO, dot(ndc, ndc))); }
