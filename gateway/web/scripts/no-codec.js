// Stands in for the codecs of Zarr, 1.4 MB that NiiVue brings along: the gateway sends NIfTI alone.
export default {
  fromConfig() {
    throw new Error("Zarr is not read by this page.");
  },
};
