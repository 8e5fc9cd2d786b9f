// Stands in for the codecs of Zarr that NiiVue brings along, larger than itself: the gateway sends NIfTI alone.
export default {
  fromConfig() {
    throw new Error("Zarr is not read by this page.");
  },
};
