// Colour and light. Linear light everywhere; the screen's curve is taken as a square root, exact both ways and cheap.

vec3 linear_of(vec3 screen) { return screen * screen; }

// A shoulder: straight up to the knee, so that pictures keep their colours, then towards 1. What is brighter than the
// screen loses a little of its hue, as film does.
vec3 tone(vec3 light)
{
    float brightest = max(light.r, max(light.g, light.b));
    light = mix(light, vec3(brightest), PALE * smoothstep(PALE_FROM, PALE_TO, brightest));
    vec3 above = max(light - KNEE, 0.0) / (1.0 - KNEE);
    return min(light, KNEE) + (1.0 - KNEE) * (1.0 - exp(-above));
}

vec3 screen_of(vec3 light) { return sqrt(tone(light)); }

// What additive light adds on screen over a dark background, where the target already holds screen colours.
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

float vignette(vec2 ndc) { return mix(1.0, VIGNETTE_LEAST, smoothstep(VIGNETTE_FROM, VIGNETTE_TO, dot(ndc, ndc))); }
