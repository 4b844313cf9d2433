// A white-hot core, a soft halo, four fine rays and two rings that widen and fade.

#include "lib/light.glsl"

in vec2 at;
flat in float fog;
out vec4 colour;

float ring(float away, float phase)
{
    float radius = 0.16 + 0.80 * phase;
    float width = 0.010 + 0.030 * phase;
    return exp(-pow((away - radius) / width, 2.0)) * (1.0 - phase) * (1.0 - phase) * smoothstep(0.0, 0.1, phase);
}

void main()
{
    float away = length(at);
    if (away > 1.0)
        discard;
    float edge = 1.0 - smoothstep(0.7, 1.0, away);
    float moving = 0.25 + 0.75 * ambient;
    float beat = pulse_secs * BEACON_BEAT;
    vec3 glow = vec3(1.6) * exp(-pow(away / 0.060, 2.0));
    glow += BEACON_TINT * 0.60 * exp(-pow(away / 0.17, 2.0));
    glow += BEACON_TINT * 0.10 * exp(-away * 3.5);
    float rays = exp(-abs(at.x) * 75.0 - abs(at.y) * 4.5) + exp(-abs(at.y) * 75.0 - abs(at.x) * 4.5);
    glow += BEACON_TINT * 0.45 * rays;
    glow += BEACON_TINT * moving * (ring(away, fract(beat)) + ring(away, fract(beat + 0.5)));
    glow += BEACON_TINT * 0.55 * exp(-pow((away - 0.20) / 0.012, 2.0));
    glow *= edge * fog;
#ifdef DIRECT
    colour = vec4(screen_gain(min(glow, 1.2)), 1.0);
#else
    colour = vec4(glow * BEACON_LIGHT, 1.0);
#endif
}
