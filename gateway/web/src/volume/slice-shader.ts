// How NiiVue colors a slice here. Its own shader needs the whole volume colored anew for another window or label; this
// one takes them as numbers, so that they follow the hand without a graphics card too.
export const MAX_LABELS = 8;

export const SLICE_SHADER = `#version 300 es
precision highp int;
precision highp float;
uniform highp sampler3D volume;
uniform highp sampler3D overlay;
uniform vec2 shown;
uniform float inverted;
uniform float rim;
uniform float rimWidth;
uniform int labelCount;
uniform int axCorSag;
uniform vec3 cross;
uniform vec4 crossColor;
uniform float crossGap;
uniform vec3 labelColor[${MAX_LABELS}];
uniform float labelFill[${MAX_LABELS}];
in vec3 texPos;
out vec4 color;

int labelAt(vec3 place) {
  ivec3 size = textureSize(overlay, 0);
  vec4 found = texelFetch(overlay, clamp(ivec3(place * vec3(size)), ivec3(0), size - 1), 0);
  if (found.a == 0.0) return -1;
  for (int label = 0; label < labelCount; label++) {
    vec3 off = found.rgb - labelColor[label];
    if (dot(off, off) < 1e-4) return labelFill[label] < 0.0 ? -1 : label;
  }
  return -1;
}

void main(void) {
  float gray = clamp((texture(volume, texPos).r - shown.x) / (shown.y - shown.x), 0.0, 1.0);
  vec3 picture = vec3(mix(gray, 1.0 - gray, inverted));
  vec3 across = dFdx(texPos) * rimWidth;
  vec3 up = dFdy(texPos) * rimWidth;
  int here = labelAt(texPos);
  if (here >= 0) {
    bool border = labelAt(texPos + across) != here || labelAt(texPos - across) != here
      || labelAt(texPos + up) != here || labelAt(texPos - up) != here;
    picture = mix(picture, labelColor[here], border ? max(rim, labelFill[here]) : labelFill[here]);
  }
  vec3 away = abs(texPos - cross) / max(abs(dFdx(texPos)) + abs(dFdy(texPos)), vec3(1e-9));
  vec2 apart = axCorSag == 0 ? away.xy : axCorSag == 1 ? away.xz : away.yz;
  bool line = min(apart.x, apart.y) < 0.5 && max(apart.x, apart.y) > crossGap;
  color = vec4(mix(picture, crossColor.rgb, line ? crossColor.a : 0.0), 1.0);
}`;
